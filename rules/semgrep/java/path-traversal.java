class Sample {
    byte[] download(@RequestParam("name") String name) throws IOException {
        Path file = Paths.get("/srv/files", name);
        // ruleid: java-path-traversal
        return Files.readAllBytes(file);
    }

    void serve(HttpServletRequest request, HttpServletResponse response) throws IOException {
        File file = new File(ROOT, request.getParameter("file"));
        // ruleid: java-path-traversal
        InputStream input = new FileInputStream(file);
    }

    byte[] checked(@RequestParam("name") String name) throws IOException {
        Path file = BASE.resolve(name).normalize();
        if (!file.startsWith(BASE)) {
            throw new IllegalArgumentException();
        }
        // ok: java-path-traversal
        return Files.readAllBytes(file);
    }

    byte[] lastPart(@RequestParam("name") String name) throws IOException {
        Path file = BASE.resolve(Paths.get(name).getFileName());
        // ok: java-path-traversal
        return Files.readAllBytes(file);
    }

    byte[] numbered(@PathVariable("id") int id) throws IOException {
        // ok: java-path-traversal
        return Files.readAllBytes(BASE.resolve(id + ".json"));
    }
}
