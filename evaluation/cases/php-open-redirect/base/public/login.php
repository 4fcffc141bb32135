<?php

function after_login(array $session): void
{
    header('Location: /');
}
