fn main() {
    serve(8080);
}

fn serve(port: u16) {
    println!("{port}");
}
