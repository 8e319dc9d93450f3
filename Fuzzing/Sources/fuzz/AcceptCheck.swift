import Exposition

/// What is chosen is chosen again by its own Content-Type; what a scraper wants most wins whatever stands behind it; what
/// is malformed changes nothing.
func checkAccept(_ input: [UInt8]) {
    let header = String(decoding: input, as: UTF8.self)
    let format = Negotiation.format(accept: header)
    require(Negotiation.format(accept: format.contentType) == format, "\(format) is chosen by its own Content-Type")
    require(Negotiation.format(accept: header + ", ;;=") == format, "a malformed item changes nothing")
    for wanted in [format, .text, .textOne(.values), .openMetricsDraft, .openMetrics(nil), .openMetrics(.dots)] {
        let chosen = Negotiation.format(accept: wanted.contentType + "," + header)
        require(chosen == wanted, "\(wanted) is named first and without a weight, and \(chosen) is chosen")
    }
    let takesGzip = Negotiation.takesGzip(acceptEncoding: header)
    require(Negotiation.takesGzip(acceptEncoding: header + ", ;;=") == takesGzip, "a malformed item changes nothing")
    require(!Negotiation.takesGzip(acceptEncoding: "gzip;q=0," + header), "gzip that is refused is not chosen")
}
