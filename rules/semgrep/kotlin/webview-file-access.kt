fun prepare(view: WebView) {
    // ruleid: kotlin-webview-file-access
    view.settings.allowUniversalAccessFromFileURLs = true
    // ruleid: kotlin-webview-file-access
    view.settings.setAllowFileAccessFromFileURLs(true)
    // ok: kotlin-webview-file-access
    view.settings.allowFileAccessFromFileURLs = false
    // ok: kotlin-webview-file-access
    view.settings.domStorageEnabled = true
}
