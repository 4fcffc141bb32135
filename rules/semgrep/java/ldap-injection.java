class Sample {
    void find(DirContext context, LdapTemplate template, String user, SearchControls controls) throws Exception {
        // ruleid: java-ldap-injection
        context.search("ou=people", "(uid=" + user + ")", controls);
        String filter = String.format("(&(objectClass=person)(cn=%s))", user);
        // ruleid: java-ldap-injection
        template.search("ou=people", filter, mapper);
        // ok: java-ldap-injection
        context.search("ou=people", "(uid={0})", new Object[] {user}, controls);
        // ok: java-ldap-injection
        context.search("ou=people", "(uid=" + escapeFilter(user) + ")", controls);
        // ok: java-ldap-injection
        text.search("ou=people", "(uid=" + user + ")", controls);
    }
}
