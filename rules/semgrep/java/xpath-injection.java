class Sample {
    void find(Document document, XPath xpath, String name, int position) throws Exception {
        // ruleid: java-xpath-injection
        xpath.evaluate("/users/user[@name='" + name + "']/role", document);
        // ruleid: java-xpath-injection
        xpath.compile(String.format("/users/user[@name='%s']", name));
        // ok: java-xpath-injection
        xpath.compile("/users/user[@name=$name]").evaluate(document);
        // ok: java-xpath-injection
        xpath.evaluate("/users/user[" + position + "]", document);
        // ok: java-xpath-injection
        pattern.compile("[@name='" + name + "']");
    }
}
