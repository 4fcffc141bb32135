fun run(name: String) {
    // ruleid: kotlin-shell-injection
    Runtime.getRuntime().exec("tar cf backup.tar $name")
    // ruleid: kotlin-shell-injection
    ProcessBuilder("sh", "-c", "ls " + name).start()
    // ok: kotlin-shell-injection
    ProcessBuilder("tar", "cf", "$name.tar", name).start()
    // ok: kotlin-shell-injection
    Runtime.getRuntime().exec("uname -a")
}
