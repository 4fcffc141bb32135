class Sample {
    void go(Runnable task) {
        // ruleid: java-thread-run
        new Thread(task).run();
        Thread worker = new Thread(task, "worker");
        // ruleid: java-thread-run
        worker.run();
        // ok: java-thread-run
        task.run();
        // ok: java-thread-run
        new Thread(task).start();
    }
}
