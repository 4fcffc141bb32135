<?php
function find($db, $link, $table, $name) {
    // ruleid: php-sql-quoted-variable
    $db->query("SELECT * FROM account WHERE name = '$name'");
    // ruleid: php-sql-quoted-variable
    mysqli_query($link, "DELETE FROM account WHERE name LIKE '%{$name}%'");
    // ok: php-sql-quoted-variable
    $db->query("SELECT * FROM $table WHERE active = 'yes'");
    // ok: php-sql-quoted-variable
    $db->prepare("SELECT * FROM account WHERE name = :name");
}
