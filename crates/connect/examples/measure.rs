use connect::normalise::{IdSeed, Normaliser};
fn main() {
    let n: i64 = 100_000;
    let rec = |i: i64| format!(r#"{{"id":{i},"ref":"{i:014x}","customer_id":{},"created_at":"2024-0{}-1{}T1{}:00:00Z","updated_at":"2024-0{}-1{}T1{}:00:00Z","status":"pending","amount":"{}.50","qty":{},"note":null,"gift":true,"shipping":{{"city":"Köln","zip":"{:05}","geo":{{"lat":{},"lon":{}}}}},"lines":[{{"sku":"S{}","qty":1,"price":{}}},{{"sku":"S1","qty":2,"price":3}}]}}"#, i%20000, i%9+1, i%10, i%10, i%9+1, i%10, i%10, i%1000, i%9, i%99999, i%90, i%180, i%500, i%9999);
    let pages: Vec<String> = (0..n/1000).map(|p| format!("{{\"data\":[{}]}}", (p*1000..(p+1)*1000).map(rec).collect::<Vec<_>>().join(","))).collect();
    let t = std::time::Instant::now();
    let mut values = 0;
    for p in &pages { let v: serde_json::Value = serde_json::from_str(p).unwrap(); values += v["data"].as_array().unwrap().len(); }
    println!("parse only {:?} {values}", t.elapsed());
    let t = std::time::Instant::now();
    let mut nz = Normaliser::new("orders", &["id".to_string()], &[], IdSeed::new("x"));
    let (mut rows, mut parse) = (0, std::time::Duration::ZERO);
    for p in &pages {
        let t = std::time::Instant::now();
        let v: serde_json::Value = serde_json::from_str(p).unwrap();
        parse += t.elapsed();
        for r in v["data"].as_array().unwrap() { nz.push(r).unwrap(); if nz.is_full() { rows += nz.take_batches().unwrap().iter().map(|b| b.batch.num_rows()).sum::<usize>(); } }
    }
    rows += nz.take_batches().unwrap().iter().map(|b| b.batch.num_rows()).sum::<usize>();
    println!("parse+normalise {:?} (parse {parse:?}) rows {rows}", t.elapsed());
}
