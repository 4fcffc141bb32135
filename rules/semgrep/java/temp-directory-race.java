class Sample {
    File directory() throws IOException {
        File temp = File.createTempFile("work", ".d");
        temp.delete();
        // ruleid: java-temp-directory-race
        temp.mkdir();
        return temp;
    }

    File second() throws IOException {
        File temp = File.createTempFile("work", "");
        boolean gone = temp.delete();
        // ruleid: java-temp-directory-race
        if (!temp.mkdirs()) {
            throw new IOException();
        }
        return temp;
    }

    Path good() throws IOException {
        // ok: java-temp-directory-race
        Path temp = Files.createTempDirectory("work");
        File file = File.createTempFile("work", ".txt");
        file.delete();
        // ok: java-temp-directory-race
        file.getParentFile().mkdirs();
        return temp;
    }
}
