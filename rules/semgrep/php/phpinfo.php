<?php
// ruleid: php-phpinfo
phpinfo();
if (isset($_GET['debug'])) {
    // ruleid: php-phpinfo
    phpinfo(INFO_VARIABLES);
}
// ok: php-phpinfo
$version = phpversion();
class Diagnostics
{
    public function show()
    {
        // ok: php-phpinfo
        phpinfo();
    }
}
