pub fn level(code: u16) -> &'static str {
    match code {
        500.. => "error",
        400..=499 => "warning",
        _ => "info",
    }
}
