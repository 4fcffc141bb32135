class Sample {
    @GetMapping("/value")
    Object value(@RequestParam String formula, @RequestParam("x") int x) {
        // ruleid: java-expression-injection
        return new SpelExpressionParser().parseExpression(formula).getValue();
    }

    void script(HttpServletRequest request, ScriptEngine engine) throws Exception {
        String code = request.getParameter("code");
        // ruleid: java-expression-injection
        engine.eval("result = " + code);
    }

    Object fixed(@RequestParam String name, ScriptEngine engine) throws Exception {
        engine.put("name", name);
        // ok: java-expression-injection
        engine.eval("name.length()");
        // ok: java-expression-injection
        return parser.parseExpression("name.length()").getValue(name);
    }
}
