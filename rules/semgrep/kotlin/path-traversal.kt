suspend fun download(call: ApplicationCall) {
    val name = call.parameters["name"]
    val file = File("/srv/files", name)
    // ruleid: kotlin-path-traversal
    call.respondFile(file)
    // ruleid: kotlin-path-traversal
    val text = File("/srv/" + call.request.queryParameters["page"]).readText()
    val id = call.parameters["id"].toInt()
    // ok: kotlin-path-traversal
    val other = File("/srv/$id.json").readText()
    val last = File(name).name
    // ok: kotlin-path-traversal
    File("/srv/files", last).readBytes()
}
