<?php
function show(PDO $db, $link, $wpdb) {
    $id = $_GET['id'];
    // ruleid: php-sql-injection
    $db->query("SELECT * FROM account WHERE id = " . $id);
    // ruleid: php-sql-injection
    mysqli_query($link, "SELECT * FROM account WHERE name = '{$_POST['name']}'");
    $sort = trim($_REQUEST['sort']);
    // ruleid: php-sql-injection
    $wpdb->get_results("SELECT * FROM wp_posts ORDER BY $sort");

    $statement = $db->prepare("SELECT * FROM account WHERE id = ?");
    // ok: php-sql-injection
    $statement->execute([$id]);
    $number = (int) $_GET['page'];
    // ok: php-sql-injection
    $db->query("SELECT * FROM account LIMIT 20 OFFSET " . $number);
    // ok: php-sql-injection
    $wpdb->get_results($wpdb->prepare("SELECT * FROM wp_posts WHERE id = %d", $_GET['id']));
}
