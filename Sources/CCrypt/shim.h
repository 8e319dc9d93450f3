// libcrypt, for bcrypt: the hashes that the exporter-toolkit's files hold.

#ifndef MAPWATCH_CCRYPT_SHIM_H
#define MAPWATCH_CCRYPT_SHIM_H

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

// Hashes `password` as `setting` says into `out`, which holds `size` bytes. Returns 0, or -1 when libcrypt refuses.
// Any thread; needs 32 KiB of heap for the time of the call, which is wiped.
static inline int ccrypt_hash(const char *password, const char *setting, char *out, size_t size) {
    struct crypt_data *data = calloc(1, sizeof *data);
    if (data == NULL) return -1;
    const char *made = crypt_r(password, setting, data);
    int result = -1;
    if (made != NULL && made[0] != '*' && strlen(made) < size) {
        strcpy(out, made);
        result = 0;
    }
    explicit_bzero(data, sizeof *data);
    free(data);
    return result;
}

#endif
