class Sample {
    void archive(String name) throws Exception {
        // ruleid: java-command-injection
        Runtime.getRuntime().exec("tar cf backup.tar " + name);
        // ruleid: java-command-injection
        Runtime.getRuntime().exec(new String[] {"sh", "-c", "ls " + name});
        // ruleid: java-command-injection
        new ProcessBuilder("/bin/bash", "-c", String.format("ls %s | wc -l", name)).start();
        // ok: java-command-injection
        Runtime.getRuntime().exec("tar cf backup.tar " + "data");
        // ok: java-command-injection
        new ProcessBuilder("tar", "-c", "--file=" + name).start();
        // ok: java-command-injection
        new ProcessBuilder("sh", "-c", "ls | wc -l").start();
    }
}
