fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let port = arguments[1].parse().unwrap();
    serve(port);
}

fn serve(port: u16) {
    println!("{port}");
}
