<?php
function store($db, $password, $salt, $passage) {
    // ruleid: php-password-hash
    $db->save(md5($password));
    // ruleid: php-password-hash
    $db->save(hash('sha256', $_POST['password']));
    // ruleid: php-password-hash
    $db->save(sha1($salt . $password));
    // ok: php-password-hash
    $db->save(password_hash($password, PASSWORD_DEFAULT));
    // ok: php-password-hash
    $etag = md5($passage);
}
