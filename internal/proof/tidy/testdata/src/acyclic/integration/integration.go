package integration

func Start() {}
