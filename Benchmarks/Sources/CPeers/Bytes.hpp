// Raw bytes as the peers' keys: std::string inside, string_view for lookups, so that no lookup allocates.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace peers {

inline std::string_view view(const uint8_t *bytes, size_t length) {
    return {reinterpret_cast<const char *>(bytes), length};
}

/// std::hash of libstdc++ (Murmur, unkeyed: cheaper than mapwatch's keyed SipHash, and predictable), which is also what
/// oneTBB takes for std::string by itself; written out only to be transparent, in the words of either container.
struct BytesHash {
    using is_transparent = void;

    size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }

    size_t hash(std::string_view key) const { return (*this)(key); }
    bool equal(std::string_view one, std::string_view other) const { return one == other; }
};

}  // namespace peers
