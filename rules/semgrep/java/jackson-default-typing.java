class Sample {
    void prepare(ObjectMapper mapper) {
        // ruleid: java-jackson-default-typing
        mapper.enableDefaultTyping();
        // ruleid: java-jackson-default-typing
        mapper.activateDefaultTyping(LaissezFaireSubTypeValidator.instance, ObjectMapper.DefaultTyping.NON_FINAL);
        PolymorphicTypeValidator known = BasicPolymorphicTypeValidator.builder()
            .allowIfSubType("com.example.model.")
            .build();
        // ok: java-jackson-default-typing
        mapper.activateDefaultTyping(known, ObjectMapper.DefaultTyping.NON_FINAL);
        // ok: java-jackson-default-typing
        mapper.deactivateDefaultTyping();
    }
}
