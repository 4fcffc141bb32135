pub fn level(code: u16) -> &'static str {
    if code >= 500 {
        "error"
    } else if code >= 400 {
        "warning"
    } else {
        "info"
    }
}
