class Sample {
    Object read(InputStream input) throws Exception {
        ObjectInputStream stream = new ObjectInputStream(input);
        // ruleid: java-unsafe-deserialization
        return stream.readObject();
    }

    Object managed(InputStream input) throws Exception {
        try (ObjectInputStream stream = new ObjectInputStream(new BufferedInputStream(input))) {
            // ruleid: java-unsafe-deserialization
            return stream.readObject();
        }
    }

    Object fine(InputStream input) throws Exception {
        ObjectInputStream stream = new ObjectInputStream(input);
        stream.setObjectInputFilter(FILTER);
        // ok: java-unsafe-deserialization
        return stream.readObject();
    }

    private void readObject(ObjectInputStream stream) throws IOException, ClassNotFoundException {
        stream.defaultReadObject();
        // ok: java-unsafe-deserialization
        this.names = (List<String>) stream.readObject();
    }
}
