<?php
function secure($url) {
    // ruleid: php-strpos-truth
    if (strpos($url, 'https://')) {
        return true;
    }
    // ruleid: php-strpos-truth
    if (stripos($url, 'internal') == false) {
        return false;
    }
    // ok: php-strpos-truth
    if (strpos($url, 'https://') === 0) {
        return true;
    }
    // ok: php-strpos-truth
    if (strpos($url, '@') !== false) {
        return false;
    }
    // ok: php-strpos-truth
    return str_contains($url, 'x');
}
