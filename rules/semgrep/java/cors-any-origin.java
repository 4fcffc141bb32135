class Sample {
    void reflect(HttpServletRequest request, HttpServletResponse response) {
        String origin = request.getHeader("Origin");
        // ruleid: java-cors-any-origin
        response.setHeader("Access-Control-Allow-Origin", origin);
        response.setHeader("Access-Control-Allow-Credentials", "true");
    }

    void configure(CorsRegistry registry) {
        // ruleid: java-cors-any-origin
        registry.addMapping("/**").allowedOriginPatterns("*").allowedMethods("GET").allowCredentials(true);
        // ok: java-cors-any-origin
        registry.addMapping("/public/**").allowedOrigins("*");
    }

    void checked(HttpServletRequest request, HttpServletResponse response) {
        String origin = request.getHeader("Origin");
        if (ALLOWED.contains(origin)) {
            // ok: java-cors-any-origin
            response.setHeader("Access-Control-Allow-Origin", origin);
        }
    }
}
