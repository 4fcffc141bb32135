class Sample {
    String preview(@RequestParam("url") String url) throws IOException {
        // ruleid: java-ssrf
        return read(new URL(url).openStream());
    }

    String proxy(HttpServletRequest request, RestTemplate client) {
        String target = request.getParameter("target");
        // ruleid: java-ssrf
        return client.getForObject("http://" + target + "/status", String.class);
    }

    String fixedHost(@RequestParam("id") String id, RestTemplate client) {
        // ok: java-ssrf
        return client.getForObject("https://api.example.com/items/" + id, String.class);
    }

    String variable(@RequestParam("id") String id, RestTemplate client) {
        // ok: java-ssrf
        return client.getForObject("https://api.example.com/items/{id}", String.class, id);
    }

    String configured(@RequestParam("id") String id) throws IOException {
        // ok: java-ssrf
        return read(new URL(baseUrl + "/items/" + id).openStream());
    }
}
