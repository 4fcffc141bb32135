class Sample {
    void greet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        // ruleid: java-xss-response-writer
        response.getWriter().println("<p>Hello " + request.getParameter("name") + "</p>");
    }

    void list(HttpServletRequest request, HttpServletResponse response) throws IOException {
        PrintWriter out = response.getWriter();
        String query = request.getParameter("q");
        // ruleid: java-xss-response-writer
        out.print(query);
        // ok: java-xss-response-writer
        out.print(Encode.forHtml(query));
    }

    void data(HttpServletRequest request, HttpServletResponse response) throws IOException {
        response.setContentType("application/json");
        // ok: java-xss-response-writer
        response.getWriter().write(toJson(request.getParameter("q")));
    }
}
