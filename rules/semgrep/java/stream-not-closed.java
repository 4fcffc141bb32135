class Sample {
    String first(String name) throws IOException {
        // ruleid: java-stream-not-closed
        BufferedReader reader = new BufferedReader(new FileReader(name));
        return reader.readLine();
    }

    void write(File file, byte[] data) throws IOException {
        // ruleid: java-stream-not-closed
        FileOutputStream output = new FileOutputStream(file);
        output.write(data);
    }

    String managed(String name) throws IOException {
        // ok: java-stream-not-closed
        try (BufferedReader reader = new BufferedReader(new FileReader(name))) {
            return reader.readLine();
        }
    }

    InputStream open(String name) throws IOException {
        // ok: java-stream-not-closed
        FileInputStream input = new FileInputStream(name);
        return new GZIPInputStream(input);
    }

    void handed(String name) throws IOException {
        // ok: java-stream-not-closed
        FileInputStream input = new FileInputStream(name);
        consume(input);
    }

    void closed(String name) throws IOException {
        // ok: java-stream-not-closed
        FileInputStream input = new FileInputStream(name);
        try {
            input.read();
        } finally {
            input.close();
        }
    }
}
