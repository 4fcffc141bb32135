class Sample {
    void login(HttpServletRequest request, HttpServletResponse response) throws IOException {
        // ruleid: java-open-redirect
        response.sendRedirect(request.getParameter("next"));
    }

    String after(@RequestParam("next") String next) {
        // ruleid: java-open-redirect
        return "redirect:" + next;
    }

    void page(HttpServletRequest request, HttpServletResponse response) throws IOException {
        // ok: java-open-redirect
        response.sendRedirect("/search?q=" + request.getParameter("q"));
    }

    String fixed(@RequestParam("id") String id) {
        // ok: java-open-redirect
        return "redirect:/items/" + id;
    }

    void home(HttpServletRequest request, HttpServletResponse response) throws IOException {
        // ok: java-open-redirect
        response.sendRedirect(request.getContextPath() + "/home");
    }
}
