<?php
function run(array $actions) {
    $code = $_POST['code'];
    // ruleid: php-eval-input
    eval('return ' . $code . ';');
    // ruleid: php-eval-input
    call_user_func($_GET['action'], 'now');
    // ok: php-eval-input
    call_user_func([$actions, 'show'], $_GET['page']);
    // ok: php-eval-input
    eval('return ' . (int) $_GET['number'] . ';');
}
