<?php
function seal($text, $key, $nonce, $cipher) {
    // ruleid: php-weak-cipher
    $a = openssl_encrypt($text, 'AES-128-ECB', $key);
    // ruleid: php-weak-cipher
    $b = openssl_encrypt($text, 'des-cbc', $key, 0, $nonce);
    // ok: php-weak-cipher
    $c = openssl_encrypt($text, 'aes-256-gcm', $key, 0, $nonce, $tag);
    // ok: php-weak-cipher
    $d = openssl_encrypt($text, $cipher, $key);
}
