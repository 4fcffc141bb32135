class Sample {
    SecurityFilterChain site(HttpSecurity http) throws Exception {
        // ruleid: java-csrf-off
        http.csrf(csrf -> csrf.disable());
        http.formLogin(Customizer.withDefaults());
        return http.build();
    }

    void old(HttpSecurity http) throws Exception {
        // ruleid: java-csrf-off
        http.csrf().disable().formLogin().loginPage("/login");
    }

    SecurityFilterChain api(HttpSecurity http) throws Exception {
        // ok: java-csrf-off
        http.csrf(csrf -> csrf.disable());
        http.sessionManagement(s -> s.sessionCreationPolicy(SessionCreationPolicy.STATELESS));
        return http.build();
    }

    SecurityFilterChain tokens(HttpSecurity http) throws Exception {
        // ok: java-csrf-off
        http.csrf(AbstractHttpConfigurer::disable).oauth2ResourceServer(o -> o.jwt(Customizer.withDefaults()));
        return http.build();
    }
}
