class Sample {
    Object read(InputStream input, XStream xstream) {
        // ruleid: java-xml-object-decoder
        XMLDecoder decoder = new XMLDecoder(new BufferedInputStream(input));
        // ruleid: java-xml-object-decoder
        xstream.addPermission(AnyTypePermission.ANY);
        // ok: java-xml-object-decoder
        xstream.addPermission(NoTypePermission.NONE);
        // ok: java-xml-object-decoder
        xstream.allowTypesByWildcard(new String[] {"com.example.model.**"});
        return decoder.readObject();
    }
}
