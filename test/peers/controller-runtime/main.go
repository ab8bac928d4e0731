// A controller-runtime manager with leader election, for tests: it keeps a Secret for each ConfigMap that is labelled
// `manager.test/copy=true`, owned by it, and counts them in the status of the Tally named `all` of its namespace.
// It prints one JSON line for each thing that it did: {"did":"elected"|"copied"|"tallied"|"failed", …}.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metrics "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const copyLabel = "manager.test/copy"

func say(did string, facts map[string]string) {
	line := map[string]string{"did": did}
	for name, value := range facts {
		line[name] = value
	}
	_ = json.NewEncoder(os.Stdout).Encode(line)
}

type copier struct {
	client.Client
	events record.EventRecorder
}

// Reconcile makes the Secret of one ConfigMap by create-or-update, then counts all copies by server-side apply.
func (c *copier) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var source corev1.ConfigMap
	if err := c.Get(ctx, request.NamespacedName, &source); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if source.Labels[copyLabel] != "true" {
		return ctrl.Result{}, nil
	}
	secret := corev1.Secret{}
	secret.Namespace, secret.Name = source.Namespace, source.Name
	result, err := controllerutil.CreateOrUpdate(ctx, c.Client, &secret, func() error {
		secret.Labels = map[string]string{copyLabel: "true"}
		secret.Data = map[string][]byte{}
		for key, value := range source.Data {
			secret.Data[key] = []byte(value)
		}
		return controllerutil.SetControllerReference(&source, &secret, c.Scheme())
	})
	if err != nil {
		say("failed", map[string]string{"name": request.Name, "error": err.Error()})
		return ctrl.Result{}, err
	}
	if result != controllerutil.OperationResultNone {
		c.events.Eventf(&source, corev1.EventTypeNormal, "Copied", "Secret %s %s", secret.Name, result)
		say("copied", map[string]string{"name": request.Name, "result": string(result)})
	}
	return ctrl.Result{}, c.tally(ctx, request.Namespace)
}

func (c *copier) tally(ctx context.Context, namespace string) error {
	var copies corev1.SecretList
	if err := c.List(ctx, &copies, client.InNamespace(namespace), client.MatchingLabels{copyLabel: "true"}); err != nil {
		return err
	}
	tally := &unstructured.Unstructured{Object: map[string]any{}}
	tally.SetGroupVersionKind(schema.GroupVersionKind{Group: "manager.test", Version: "v1", Kind: "Tally"})
	tally.SetNamespace(namespace)
	tally.SetName("all")
	if err := c.Patch(ctx, tally.DeepCopy(), client.Apply, client.FieldOwner("copier"), client.ForceOwnership); err != nil {
		return err
	}
	tally.Object["status"] = map[string]any{"copies": int64(len(copies.Items))}
	if err := c.Status().Patch(ctx, tally, client.Apply, client.FieldOwner("copier"), client.ForceOwnership); err != nil {
		return err
	}
	say("tallied", map[string]string{"copies": strconv.Itoa(len(copies.Items))})
	return nil
}

func main() {
	identity := flag.String("identity", "manager", "name in the log")
	flag.Parse()
	ctrl.SetLogger(zap.New(zap.WriteTo(os.Stderr)))
	lease, renew, retry := 3*time.Second, 2*time.Second, 500*time.Millisecond
	mgr, err := ctrl.NewManager(ctrl.GetConfigOrDie(), manager.Options{
		LeaderElection:                true,
		LeaderElectionID:              "copier.manager.test",
		LeaderElectionNamespace:       "default",
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &lease,
		RenewDeadline:                 &renew,
		RetryPeriod:                   &retry,
		Metrics:                       metrics.Options{BindAddress: "0"},
	})
	exitOn(err)
	c := &copier{Client: mgr.GetClient(), events: mgr.GetEventRecorderFor("copier")}
	exitOn(ctrl.NewControllerManagedBy(mgr).For(&corev1.ConfigMap{}).Owns(&corev1.Secret{}).Complete(c))
	go func() {
		<-mgr.Elected()
		say("elected", map[string]string{"identity": *identity})
	}()
	exitOn(mgr.Start(ctrl.SetupSignalHandler()))
}

func exitOn(err error) {
	if err != nil {
		say("failed", map[string]string{"error": err.Error()})
		os.Exit(1)
	}
}
