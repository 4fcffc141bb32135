class Sample {
    void unpack(ZipInputStream input, File target) throws IOException {
        ZipEntry entry;
        while ((entry = input.getNextEntry()) != null) {
            // ruleid: java-zip-slip
            File file = new File(target, entry.getName());
            copy(input, file);
        }
    }

    void unpackPath(ZipFile archive, Path target) throws IOException {
        ZipEntry entry = archive.entries().nextElement();
        String name = entry.getName();
        // ruleid: java-zip-slip
        Path file = target.resolve(name);
        Files.copy(archive.getInputStream(entry), file);
    }

    void checked(ZipInputStream input, Path target) throws IOException {
        ZipEntry entry = input.getNextEntry();
        // ok: java-zip-slip
        Path file = target.resolve(entry.getName()).normalize();
        if (!file.startsWith(target)) {
            throw new IOException("bad entry");
        }
        Files.copy(input, file);
    }

    void plain(File source, File target) {
        // ok: java-zip-slip
        copy(source, new File(target, source.getName()));
    }
}
