<?php

function after_login(array $session): void
{
    $target = $_GET['next'] ?? '/';
    header('Location: ' . $target);
    exit;
}
