class Sample {
    Object read(InputStream input) throws Exception {
        ObjectInputStream stream = new ObjectInputStream(input);
        // ruleid: java-unsafe-deserialization
        return stream.readObject();
    }

    Object fine(InputStream input) throws Exception {
        ObjectInputStream stream = new ObjectInputStream(input);
        stream.setObjectInputFilter(FILTER);
        // ok: java-unsafe-deserialization
        return stream.readObject();
    }
}
