/// Which mapwatch this is: `--version`, `mapwatch_build_info`, the landing page.
enum Version {
    static let text = "0.1.0"
}
