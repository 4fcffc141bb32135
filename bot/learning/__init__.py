"""What is learned from how people take comments: labels, and data sets made of them."""
