<?php
function check($user, $list) {
    // ruleid: php-condition-assigns
    if ($user->role = 'admin') {
        return true;
    }
    // ruleid: php-condition-assigns
    if ($list = null) {
        return false;
    }
    // ok: php-condition-assigns
    if ($found = array_search('x', $list)) {
        return $found;
    }
    // ok: php-condition-assigns
    if ($user->role === 'admin') {
        return true;
    }
}
