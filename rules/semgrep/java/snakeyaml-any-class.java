class Sample {
    Object read(InputStream input) {
        Yaml yaml = new Yaml();
        // ruleid: java-snakeyaml-any-class
        return yaml.load(input);
    }

    Object direct(String text) {
        // ruleid: java-snakeyaml-any-class
        return new Yaml().load(text);
    }

    Object fine(InputStream input) {
        Yaml yaml = new Yaml(new SafeConstructor(new LoaderOptions()));
        // ok: java-snakeyaml-any-class
        return yaml.load(input);
    }

    Object literal() {
        // ok: java-snakeyaml-any-class
        return new Yaml().load("a: 1");
    }
}
