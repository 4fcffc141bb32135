<?php
function reset_link() {
    // ruleid: php-random-token
    $token = md5(uniqid());
    // ruleid: php-random-token
    $_SESSION['csrf_token'] = mt_rand();
    // ok: php-random-token
    $token = bin2hex(random_bytes(16));
    // ok: php-random-token
    $delay = mt_rand(1, 5);
    return $token;
}
