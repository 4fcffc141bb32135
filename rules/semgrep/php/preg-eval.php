<?php
function link_up($text) {
    // ruleid: php-preg-eval
    $text = preg_replace('/@(\w+)/e', 'lookup("$1")', $text);
    // ruleid: php-preg-eval
    $text = preg_replace("#<b>(.*)</b>#ie", 'strtoupper("$1")', $text);
    // ok: php-preg-eval
    $text = preg_replace('/@(\w+)/i', '$1', $text);
    // ok: php-preg-eval
    return preg_replace('/some/', 'else/e', $text);
}
