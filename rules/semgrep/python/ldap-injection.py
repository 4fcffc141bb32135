import ldap
from ldap.filter import escape_filter_chars


def find(connection, name):
    # ruleid: python-ldap-injection
    connection.search_s("dc=example", ldap.SCOPE_SUBTREE, f"(uid={name})")
    # ruleid: python-ldap-injection
    connection.search_ext_s("dc=example", ldap.SCOPE_SUBTREE, "(&(uid=%s)(objectClass=person))" % name)
    # ruleid: python-ldap-injection
    connection.search(search_base="dc=example", search_filter="(uid=" + name + ")")
    # ok: python-ldap-injection
    connection.search_s("dc=example", ldap.SCOPE_SUBTREE, f"(uid={escape_filter_chars(name)})")
    # ok: python-ldap-injection
    connection.search_s("dc=example", ldap.SCOPE_SUBTREE, "(objectClass=person)")
    # ok: python-ldap-injection
    return connection.search(f"({name})")
