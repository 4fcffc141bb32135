class Sample {
    void print(int[] values, List<String> names) {
        // ruleid: java-index-past-end
        for (int i = 0; i <= values.length; i++) {
            System.out.println(values[i]);
        }
        // ruleid: java-index-past-end
        for (int i = 0; i <= names.size(); i++) {
            String name = names.get(i);
        }
        // ok: java-index-past-end
        for (int i = 1; i <= values.length; i++) {
            System.out.println(values[i - 1]);
        }
        // ok: java-index-past-end
        for (int i = 0; i < names.size(); i++) {
            System.out.println(names.get(i));
        }
    }
}
