<?php
function verify($stored, $given, $body, $secret, $signature) {
    // ruleid: php-hash-comparison
    if (sha1($given) == $stored) {
        return true;
    }
    // ruleid: php-hash-comparison
    if ($signature != hash_hmac('sha256', $body, $secret)) {
        return false;
    }
    // ok: php-hash-comparison
    if (hash_equals($signature, hash_hmac('sha256', $body, $secret))) {
        return true;
    }
    // ok: php-hash-comparison
    return strlen($given) == strlen($stored);
}
