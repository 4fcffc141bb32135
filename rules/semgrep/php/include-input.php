<?php
$page = $_GET['page'];
// ruleid: php-include-input
include 'pages/' . $page . '.php';
// ruleid: php-include-input
require_once("themes/{$_COOKIE['theme']}/index.php");
$pages = ['home' => 'pages/home.php', 'help' => 'pages/help.php'];
if (isset($pages[$page])) {
    // ok: php-include-input
    include __DIR__ . '/header.php';
}
// ok: php-include-input
include 'pages/' . basename($page) . '.php';
