import Collectors
import Exposition
import InstrumentedMaps

/// Listings that wait for their next page: live ones, which hold a lease on their map, and snapshots apart.
struct ListingCollector: Collector {
    let name = "listings"
    let listings: Listings

    func collect(_ scrape: Scrape) -> [MetricFamily] {
        var open = MetricFamily(
            "mapwatch_listings_open", .gauge, help: "Listings over HTTP that wait for their next page to be asked for.")
        for kind in IterationKind.allCases {
            open.append(LabelSet(["mode": kind.rawValue]), .count(UInt64(listings.count(kind))))
        }
        return [open]
    }
}
