//! What `kubectl get` is told to print.

use super::*;

const TABLE: &str = "accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

async fn table(world: &World, path: &str) -> Value {
    let url = format!("{}{path}", world.server());
    raw(&url, Method::GET, &[TABLE], "").await.unwrap().json()
}

fn names(table: &Value, wide: bool) -> Vec<String> {
    let columns = table["columnDefinitions"].as_array().unwrap().iter();
    columns
        .filter(|column| wide || column["priority"] == 0)
        .map(|column| column["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_list_is_a_table_where_a_table_is_asked_for() {
    let world = world("canary", &[]).await;
    let rollouts = table(&world, "/apis/argoproj.io/v1alpha1/rollouts").await;
    assert_eq!(
        (rollouts["kind"].clone(), rollouts["apiVersion"].clone()),
        (json!("Table"), json!("meta.k8s.io/v1"))
    );
    assert!(rollouts["metadata"]["resourceVersion"].is_string());
    assert_eq!(
        names(&rollouts, false),
        [
            "Name",
            "Desired",
            "Current",
            "Up-to-date",
            "Available",
            "Age"
        ]
    );
    let row = &rollouts["rows"][0];
    assert_eq!(row["cells"][0], "checkout");
    assert_eq!(row["cells"][1], 12);
    assert_eq!(row["object"]["kind"], "PartialObjectMetadata");
    assert_eq!(row["object"]["metadata"]["namespace"], "shop");
    let pods = table(&world, "/api/v1/namespaces/shop/pods?limit=5").await;
    assert_eq!(
        names(&pods, false),
        ["Name", "Ready", "Status", "Restarts", "Age"]
    );
    assert_eq!(pods["rows"].as_array().unwrap().len(), 5);
    assert!(pods["metadata"]["continue"].is_string());
    assert_eq!(pods["rows"][0]["cells"][1], "1/1");
    assert_eq!(pods["rows"][0]["cells"][2], "Running");
    let sets = table(&world, "/apis/apps/v1/namespaces/shop/replicasets").await;
    assert_eq!(
        names(&sets, true),
        [
            "Name",
            "Desired",
            "Current",
            "Ready",
            "Age",
            "Containers",
            "Images",
            "Selector"
        ]
    );
    for row in sets["rows"].as_array().unwrap() {
        assert_eq!(row["cells"].as_array().unwrap().len(), 8);
    }
}

#[tokio::test]
async fn one_object_and_each_event_of_a_watch_are_tables_of_one_row() {
    let world = world("canary", &[]).await;
    let one = table(&world, &format!("{ROLLOUTS}/checkout")).await;
    assert_eq!(one["rows"].as_array().unwrap().len(), 1);
    let missing = table(&world, &format!("{ROLLOUTS}/nowhere")).await;
    assert_eq!(
        (missing["kind"].clone(), missing["code"].clone()),
        (json!("Status"), json!(404))
    );
    let url = format!("{}{ROLLOUTS}?watch=1&timeoutSeconds=1", world.server());
    let watched = raw(&url, Method::GET, &[TABLE], "").await.unwrap();
    let event: Value = serde_json::from_str(watched.body.lines().next().unwrap()).unwrap();
    assert_eq!(
        (event["type"].clone(), event["object"]["kind"].clone()),
        (json!("ADDED"), json!("Table"))
    );
    assert_eq!(event["object"]["rows"][0]["cells"][0], "checkout");
}
