class Sample {
    int read() {
        try {
            return work();
        // ruleid: java-return-in-finally
        } finally {
            close();
            return 0;
        }
    }

    int second() {
        try {
            work();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        // ruleid: java-return-in-finally
        } finally {
            return 1;
        }
    }

    int fine() {
        try {
            // ok: java-return-in-finally
            return work();
        } finally {
            close();
        }
    }

    int after() {
        int result = 0;
        try {
            result = work();
        } finally {
            close();
        }
        // ok: java-return-in-finally
        return result;
    }
}
