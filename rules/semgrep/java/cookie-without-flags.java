class Sample {
    void login(HttpServletResponse response, String id) {
        Cookie cookie = new Cookie("session", id);
        // ruleid: java-cookie-without-flags
        cookie.setSecure(false);
        // ruleid: java-cookie-without-flags
        ResponseCookie.from("session", id).path("/").httpOnly(false).build();
        // ok: java-cookie-without-flags
        cookie.setHttpOnly(true);
        // ok: java-cookie-without-flags
        connection.setSecure(false);
        response.addCookie(cookie);
    }
}
