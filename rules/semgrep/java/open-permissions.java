class Sample {
    void store(File file, Path path) throws IOException {
        // ruleid: java-open-permissions
        file.setWritable(true, false);
        // ruleid: java-open-permissions
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxrwxrwx"));
        // ok: java-open-permissions
        file.setWritable(true, true);
        // ok: java-open-permissions
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
