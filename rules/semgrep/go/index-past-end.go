package sample

import "fmt"

func print(values []int) int {
	sum := 0
	for i := 0; i <= len(values); i++ {
		// ruleid: go-index-past-end
		fmt.Println(values[i])
	}
	for i := 1; i <= len(values); i++ {
		// ruleid: go-index-past-end
		sum += values[i]
	}
	for i := 1; i <= len(values); i++ {
		// ok: go-index-past-end
		fmt.Println(values[i-1], values[:i])
	}
	for i := 0; i < len(values); i++ {
		// ok: go-index-past-end
		fmt.Println(values[i])
	}
	return sum
}
